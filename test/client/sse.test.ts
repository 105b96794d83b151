import t from 'tap'
import { readFrames } from '../../packages/client/sse.ts'

async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
}

const TEXT = [
  'retry: 1234\n: connected\n\n',
  'id: 1\nevent: queued\ndata: {"a":"é間🔬"}\n\n',
  'id: 2\r\nevent: progress\r\ndata: one\r\ndata: two\r\n\r\n',
  'event: hint\rdata:no blank\r\r',
  'data: no type\nid\n\n',
  ': only a comment\n\n',
  'id: 3\nevent: nothing to say\n\n',
  'retry: soon\nunknown: field\n\n',
  'id: 4\nevent: cut off\ndata: by the end',
].join('')

t.test('frames do not depend on how the bytes are split into chunks', async (t) => {
  for (const size of [1, 2, 3, 5, 7, 64, 10_000]) {
    const retries: number[] = []
    const frames = []
    for await (const frame of readFrames(inPieces(TEXT, size), (ms) => retries.push(ms))) frames.push(frame)
    t.same(
      frames,
      [
        { id: '1', event: 'queued', data: '{"a":"é間🔬"}' },
        { id: '2', event: 'progress', data: 'one\ntwo' },
        { id: null, event: 'hint', data: 'no blank' },
        { id: '', event: 'message', data: 'no type' },
      ],
      `in pieces of ${size}`,
    )
    t.same(retries, [1234])
  }
})
