/** The request function of the code that orval generates. It adds server and token, and handles responses. */

let server = { baseUrl: '', token: '' }

export function useServer(options: { baseUrl: string; token: string }): void {
  server = options
}

export async function request<T>(url: string, options: RequestInit): Promise<T> {
  const headers = new Headers(options.headers)
  headers.set('authorization', `Bearer ${server.token}`)
  const answer = await fetch(new URL(url, server.baseUrl), { ...options, headers })
  const isFile = answer.headers.has('content-disposition')
  const data = isFile ? await answer.blob() : await answer.json()
  return { data, status: answer.status, headers: answer.headers } as T
}
