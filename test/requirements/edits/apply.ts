import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Edit } from './edit.ts'

/**
 * Texts of the files of `folder` with the edit, by their paths. Throws if a text to search for is not
 * there exactly once: then the source has changed, and the edit has to follow.
 */
export function applied({ what, changes }: Edit, folder: string): Map<string, string> {
  const texts = new Map<string, string>()
  for (const [file, search, replace] of changes) {
    const text = texts.get(file) ?? readFileSync(join(folder, file), 'utf8')
    const count = text.split(search).length - 1
    if (count !== 1)
      throw new Error(`Without ${what}: found ${count} times in ${file}, not once: ${search}`)
    texts.set(
      file,
      text.replace(search, () => replace),
    )
  }
  return texts
}
