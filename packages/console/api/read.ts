/** Reads documents from other programs: shows what is there and ignores what is missing. */

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

/** The strings of a list. An object in it gives the first of `names` that holds a string. */
export function texts(value: unknown, ...names: string[]): string[] {
  return list(value).flatMap((one) => {
    const found = isData(one) ? names.map((name) => text(one[name])).find(Boolean) : text(one)
    return found || []
  })
}

/** The members of an object that are numbers, in order. */
export function counts(value: unknown): [string, number][] {
  return Object.entries(data(value)).flatMap(([name, count]) =>
    typeof count === 'number' && Number.isFinite(count) ? [[name, count] as [string, number]] : [],
  )
}

/** Makes a name such as `no_include_keyword` readable. */
export function plain(name: string): string {
  return name.replaceAll('_', ' ')
}
