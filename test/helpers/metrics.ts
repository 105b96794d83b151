/** Reads metrics in the text format of Prometheus. */
export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

export interface Family {
  type: string
  help: string
  samples: Sample[]
}

/** Families by name, in the order of the text; throws if the text is malformed. */
export function parseMetrics(text: string): Map<string, Family> {
  const families = new Map<string, Family>()
  let family: Family | undefined
  for (const line of text.split('\n').filter(Boolean)) {
    const [, what, name = '', rest = ''] = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line) ?? []
    if (what === 'HELP') {
      if (families.has(name)) throw new Error(`${name} is reported twice`)
      family = { help: rest, type: '', samples: [] }
      families.set(name, family)
    } else if (what === 'TYPE' && family === families.get(name) && family) family.type = rest
    else if (family) family.samples.push(parseSample(line))
    else throw new Error(`no part of a family: ${line}`)
  }
  return families
}

/** The value of the one sample with these labels. */
export function sampleOf(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''))
  const found = (family?.samples ?? []).filter(
    (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  )
  if (found.length !== 1) throw new Error(`${found.length} samples of ${name} ${JSON.stringify(labels)}`)
  return (found[0] as Sample).value
}

function parseSample(line: string): Sample {
  const [, name, inner = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (!name || value === undefined) throw new Error(`no sample: ${line}`)
  const labels = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)/g)].map(([, key, text]) => [key, text])
  return { name, labels: Object.fromEntries(labels), value: Number(value.replace('Inf', 'Infinity')) }
}
