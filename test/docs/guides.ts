import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const root: string = resolve(import.meta.dirname, '../..')

/** Every text for readers, by its path in the repository. */
export const texts: ReadonlyMap<string, string> = new Map(
  [
    ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
    ...readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ].map((path) => [path, readFileSync(join(root, path), 'utf8')]),
)

/** A block of code. */
export interface Block {
  language: string
  /** The file that it is; absent where it has no name. */
  name: string | undefined
  code: string
}

export function blocksOf(text: string): Block[] {
  return Array.from(
    text.matchAll(/^```(\w+)(?: (\S+))?\n([^]*?)^```$/gm),
    ([, language = '', name, code = '']) => ({ language, name, code }),
  )
}

/** The text without its blocks of code. */
export function proseOf(text: string): string {
  return text.replace(/^```[^]*?^```$/gm, '')
}
