/** Median, least and greatest of a list. */
export interface Spread {
  median: number
  min: number
  max: number
}

/** A comparison: what each contender cost, and how the second one compares with the first. */
export interface Figures {
  contenders: { name: string; cost: Spread; rounds: number[] }[]
  /** Second by first, taken within each round. */
  ratio: Spread & { rounds: number[] }
}

/** Summarizes the costs per round of two contenders that were measured together. */
export function summarize(measured: readonly { name: string; costs: number[] }[]): Figures {
  const [first, second] = measured
  if (first === undefined || second === undefined) throw new Error('Two contenders are compared.')
  const ratios = second.costs.map((cost, round) => cost / (first.costs[round] ?? NaN))
  return {
    contenders: measured.map(({ name, costs }) => ({ name, cost: spreadOf(costs), rounds: costs })),
    ratio: { ...spreadOf(ratios), rounds: ratios },
  }
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? NaN
  const median = (at(Math.floor((sorted.length - 1) / 2)) + at(Math.floor(sorted.length / 2))) / 2
  return { median, min: at(0), max: at(sorted.length - 1) }
}

/** The table that is printed. */
export function formatTable({ contenders, ratio }: Figures): string {
  const rows = [
    ['CPU per whole login', 'median', 'min', 'max'],
    ...contenders.map(({ name, cost }) => [`${name} (us)`, ...formatSpread(cost, 0)]),
    ['ratio', ...formatSpread(ratio, 3)],
  ]
  return rows
    .map(
      ([name = '', ...cells]) => name.padEnd(24) + cells.map((cell) => cell.padStart(8)).join(''),
    )
    .join('\n')
}

function formatSpread({ median, min, max }: Spread, digits: number): string[] {
  return [median, min, max].map((value) => value.toFixed(digits))
}
