import type { Preset } from '../options/preset.ts'

/** The preset, frozen with all that is in it: apps share it. */
export function definePreset(preset: Preset): Preset {
  freeze(preset)
  return preset
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  Object.values(value).forEach(freeze)
  Object.freeze(value)
}
