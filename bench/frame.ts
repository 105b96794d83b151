/** The frame that floors and peers send; it is as long as an event of Stagecast. */

export function eventData(job_id: string | undefined, message: string): Record<string, unknown> {
  return {
    job_id,
    stage: 2,
    workflow_id: '123e4567-e89b-12d3-a456-426614174000',
    status: 'active',
    progress: 50,
    attempt: 1,
    message,
    at: Date.now(),
  }
}

export function frame(job_id: string | undefined, message: string): string {
  return `id: 000100000010\nevent: progress\ndata: ${JSON.stringify(eventData(job_id, message))}\n\n`
}
