import type { Setting, Settings } from './definition.ts'
import { didYouMean } from './nearest.ts'
import { readValue } from './values.ts'

/** The setting of that name, hostile names (`__proto__`) included. */
export function settingOf(settings: Settings, name: string): Setting<unknown> | undefined {
  return Object.hasOwn(settings, name) ? settings[name] : undefined
}

/** Also used at start, where every setting may be given. Returns what is wrong, or null. */
export function validate(kind: string, settings: Settings, name: string, value: string): string | null {
  const setting = settingOf(settings, name)
  if (setting === undefined) return unknown(kind, settings, name)
  const reading = readValue(name, setting, value)
  if ('error' in reading) return reading.error
  const fixed = setting.strict && String(reading.value) !== (setting.default ?? '')
  return fixed ? `Invalid value ${value} for configuration ${name}: ${setting.doc}` : null
}

/** Names the setting that was probably meant. */
export function unknown(kind: string, settings: Settings, name: string): string {
  return `Unknown ${kind} config name: ${name}${didYouMean(name, Object.keys(settings))}`
}
