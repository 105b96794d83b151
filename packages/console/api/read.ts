/** Reading documents that somebody else writes: what is there is shown, what is not is passed over. */

export type Data = Record<string, unknown>

function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function data(value: unknown): Data {
  return isData(value) ? value : {}
}

export function text(value: unknown): string {
  if (typeof value === 'string') return value.trim()
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : ''
}

export function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/** The texts of a list; of an object in it, the first of `names` that holds one. */
export function texts(value: unknown, ...names: string[]): string[] {
  return list(value).flatMap((one) => {
    const found = isData(one) ? names.map((name) => text(one[name])).find(Boolean) : text(one)
    return found || []
  })
}

/** The members of an object that are numbers, in their order. */
export function counts(value: unknown): [string, number][] {
  return Object.entries(data(value)).flatMap(([name, count]) =>
    typeof count === 'number' && Number.isFinite(count) ? [[name, count] as [string, number]] : [],
  )
}

/** `no_include_keyword` as people write it. */
export function plain(name: string): string {
  return name.replaceAll('_', ' ')
}
