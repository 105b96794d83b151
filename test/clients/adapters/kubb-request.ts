/** The request function of the code that kubb generates. It adds server and token, and handles responses. */

let server = { baseUrl: '', token: '' }

export function useServer(options: { baseUrl: string; token: string }): void {
  server = options
}

export interface RequestConfig<Data = unknown> {
  method: string
  url: string
  params?: object
  data?: Data
  headers?: object
}

/** kubb passes the documented errors of an operation here. This function throws the problem it got. */
export type ResponseErrorConfig<Problem = unknown> = Problem

/** Thrown for an error response. */
export class Refused<Problem> extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(JSON.stringify(problem))
    this.problem = problem
  }
}

export type Client = <Answer, _Problem = unknown, Data = unknown>(
  config: RequestConfig<Data>,
) => Promise<{ data: Answer; status: number }>

const request: Client = async <Answer, Problem>(config: RequestConfig<unknown>) => {
  const { method, url, params = {}, data, headers = {} } = config
  const at = new URL(url, server.baseUrl)
  for (const [name, value] of Object.entries(params)) at.searchParams.set(name, String(value))
  const answer = await fetch(at, {
    method,
    headers: {
      ...(headers as Record<string, string>),
      authorization: `Bearer ${server.token}`,
      ...(data !== undefined && { 'content-type': 'application/json' }),
    },
    ...(data !== undefined && { body: JSON.stringify(data) }),
  })
  if (!answer.ok) throw new Refused((await answer.json()) as Problem)
  const isFile = answer.headers.has('content-disposition')
  return { data: (isFile ? await answer.blob() : await answer.json()) as Answer, status: answer.status }
}

export default request
