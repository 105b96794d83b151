/** Parses Server-Sent Events for a client that returns the raw stream. Expects each `data` on one line. */
export async function* frames(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ id: string; event: string; data: string }> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of bytes) {
    text += decoder.decode(chunk, { stream: true })
    const parts = text.split('\n\n')
    text = parts.pop() ?? ''
    for (const part of parts) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1]
      const event = field('event')
      if (event) yield { id: field('id') ?? '', event, data: field('data') ?? '' }
    }
  }
}
