import { bool, message, string } from '../schema.ts'

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
