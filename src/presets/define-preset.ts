import { notePreset } from '../options/moved-preset.ts'
import type { Preset } from '../options/preset.ts'

/** The preset, frozen with all that is in it: apps share it. */
export function definePreset(preset: Preset): Preset {
  const noted = notePreset(preset)
  freeze(preset)
  freeze(noted)
  return noted
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  Object.values(value).forEach(freeze)
  Object.freeze(value)
}
