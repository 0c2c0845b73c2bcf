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

/** Where links into a text can lead: its headings, as GitHub writes them. */
export function anchorsOf(path: string): string[] {
  const headings = proseOf(texts.get(path) ?? '').matchAll(/^#{1,6} (.*)$/gm)
  return Array.from(headings, ([, heading = '']) => anchorOf(heading))
}

function anchorOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
}
