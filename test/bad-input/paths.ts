/** Invalid paths, queries, methods and headers. */
import type { BadRequest, Scene } from './request.ts'

export function badPaths({ token, mine, foreign }: Scene): BadRequest[] {
  const headers = { authorization: `Bearer ${token}` }
  const id = mine.split('/').at(-1) as string
  const stages = '/api/workflow/stages'
  const noStage = [
    '0',
    '1000',
    '-1',
    '-2',
    '2.0',
    '2.5',
    '02',
    '+2',
    '%2B2',
    '%202',
    '2%20',
    '%092',
    '2e0',
    '0x2',
  ]
    .concat([
      '0b10',
      '2_0',
      '2n',
      '1e1',
      'NaN',
      'Infinity',
      'null',
      'two',
      '２',
      '②',
      '2,2',
      '2;2',
      '99999999999999999999',
    ])
    .map((stage) => encodeURI(decodeURI(stage)).replaceAll('%252B', '%2B'))
  const noJob = [
    '1',
    'abc',
    'null',
    `${id}0`,
    `${id}%0a`,
    `${id}%00`,
    `%20${id}`,
    `urn:uuid:${id}`,
    `%7B${id}%7D`,
  ].concat([id.replaceAll('-', ''), '..%2f..%2fetc', '*', '%2a', '__proto__', 'constructor', '%F0%9F%92%A9'])
  const nowhere = ['/', '/api', '/api/workflow', `${stages}/`, `${stages}/2`, `${mine}/`, `${mine}/status/`]
    .concat([
      `${mine}/Status`,
      `${mine}/result`,
      '//api/workflow/stages',
      '/api//workflow/stages',
      '/API/workflow/stages',
    ])
    .concat([
      '/.env',
      '/config.ts',
      '/api/workflow/stages/2/execute/',
      '/%00',
      '/admin',
      '/openapi.json/x',
      '/health',
    ])
  const row = (code: BadRequest['code'], path: string, more: Partial<BadRequest> = {}): BadRequest => ({
    about: `${more.method ?? 'GET'} ${path.replace(id, '<id>').slice(0, 200)}`,
    code,
    path,
    headers,
    ...more,
  })
  return [
    ...noStage.flatMap((stage) => [
      row('STAGE_NOT_FOUND', `${stages}/${stage}/jobs/${id}/status`),
      row('STAGE_NOT_FOUND', `${stages}/${stage}/execute`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: '{}',
      }),
    ]),
    ...noJob.map((job) => row('JOB_NOT_FOUND', `${stages}/2/jobs/${job}/status`)),
    ...nowhere.map((path) => row('NOT_FOUND', path)),
    row('JOB_NOT_FOUND', `${stages}/3/jobs/${id}/status`),
    ...['status', 'events', 'artifacts/a.json'].map((end) => row('JOB_NOT_FOUND', `${foreign}/${end}`)),
    ...['cancel', 'tickets'].map((end) => row('JOB_NOT_FOUND', `${foreign}/${end}`, { method: 'POST' })),
    row('JOB_FINISHED', `${mine}/cancel`, { method: 'POST' }),
    ...[
      'b.json',
      '..%2fa.json',
      '%2e%2e%2fa.json',
      'a.json%00',
      'A.JSON',
      '%5c..%5ca.json',
      '%2fetc%2fpasswd',
    ].map((name) => row('ARTIFACT_NOT_FOUND', `${mine}/artifacts/${name}`)),
    row('URI_TOO_LONG', `${stages}/2/jobs/${'x'.repeat(2000)}/status`),
    ...['/%', '/api/%zz', `${stages}/2/jobs/%ff/status`, `${stages}/%c0%af/execute`].map((path) =>
      row('BAD_REQUEST', path),
    ),
    ...['PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'OPTIONS'].map((method) =>
      row('METHOD_NOT_ALLOWED', `${mine}/status`, { method }),
    ),
    row('METHOD_NOT_ALLOWED', mine, { method: 'GET' }),
    row('METHOD_NOT_ALLOWED', `${stages}/2/execute`, { method: 'GET' }),
    row('METHOD_NOT_ALLOWED', `${mine}/events`, { method: 'HEAD' }),
    ...['-1', '31', '1e1', '0x5', '+5', '%205', '5s', 'NaN', 'Infinity', 'true', '1,5'].map((wait) =>
      row('VALIDATION_FAILED', `${mine}/status?wait=${wait}`),
    ),
    ...['x', '1', '00000000000', '0000000000000', '-00000000000', '%00', '00000000000a', '%E2%88%9E'].map(
      (after) => row('VALIDATION_FAILED', `${mine}/status?after=${after}`),
    ),
    row('VALIDATION_FAILED', `${mine}/status?after=000000000000&after=000000000001`),
    row('VALIDATION_FAILED', `${mine}/status?wait=1&wait=2`),
    ...['', 'x'.repeat(256), 'two words', 'ümlaut'].map(
      (key): BadRequest => ({
        about: `an Idempotency-Key of ${JSON.stringify(key.slice(0, 12))}`,
        code: 'VALIDATION_FAILED',
        path: `${stages}/2/execute`,
        headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ workflow_id: id, research_question: 'Does sleep change memory?' }),
      }),
    ),
    ...['image/png', 'text/html', 'application/xml', 'text/event-stream;q=0'].map((accept) =>
      row('NOT_ACCEPTABLE', `${mine}/events`, {
        headers: { ...headers, accept },
        about: `events as ${accept}`,
      }),
    ),
  ]
}
