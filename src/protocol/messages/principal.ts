import { bool, message, string } from '../schema.ts'

/** Who sent a forwarded request, in an Envelope, after an int16 version (KIP-590). */
export const DefaultPrincipalData = message(
  'DefaultPrincipalData',
  '0',
  { flexible: '0+' },
  {
    type: string,
    name: string,
    tokenAuthenticated: bool,
  },
)
