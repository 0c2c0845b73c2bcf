/** Median, and the quarters of the values below and above it. */
export interface Spread {
  median: number
  low: number
  high: number
}

/** One thing that was measured, of several contenders. */
export interface Figures {
  title: string
  unit: string
  rows: Row[]
}

/** What one contender costs, and its ratio to each baseline, taken within each round. */
export interface Row {
  name: string
  value: Spread
  ratios: Record<string, Spread>
}

/** Values of the contenders, one a round, and the names of those that the others are compared with. */
export function compare(
  title: string,
  unit: string,
  measured: readonly { name: string; values: readonly number[] }[],
  baselines: readonly string[],
): Figures {
  const rows = measured.map(({ name, values }) => {
    const ratios = baselines.flatMap((baseline) => {
      const others = measured.find((other) => other.name === baseline)?.values
      if (others === undefined) return []
      const ratio = values.map((value, round) => value / (others[round] ?? NaN))
      return [[baseline, spreadOf(ratio)] as const]
    })
    return { name, value: spreadOf(values), ratios: Object.fromEntries(ratios) }
  })
  return { title, unit, rows }
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): number => {
    const position = part * (sorted.length - 1)
    const below = sorted[Math.floor(position)] ?? NaN
    const above = sorted[Math.ceil(position)] ?? NaN
    return below + (above - below) * (position % 1)
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

/** The table that is printed, as Markdown. */
export function formatTable({ title, unit, rows }: Figures): string {
  const baselines = Object.keys(rows[0]?.ratios ?? {})
  const heads = [title, unit, ...baselines.map((name) => `of ${name}`)]
  const lines = rows.map(({ name, value, ratios }) => [
    name,
    formatSpread(value, value.median < 100 ? 1 : 0),
    ...baselines.map((baseline) => formatSpread(ratios[baseline], 2)),
  ])
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...lines.map((line) => line[column]?.length ?? 0)),
  )
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [row(heads), row(widths.map((width) => '-'.repeat(width))), ...lines.map(row)].join('\n')
}

function formatSpread(spread: Spread | undefined, digits: number): string {
  if (spread === undefined) return ''
  const [median, low, high] = [spread.median, spread.low, spread.high].map((value) =>
    value.toFixed(digits),
  )
  return low === high ? `${median}` : `${median} (${low} to ${high})`
}
