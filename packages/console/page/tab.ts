/** The browser's tab: its title, and an icon that shows how far the page's subject has come. */

export interface TabProgress {
  status: string
  /** 0 to 100. */
  percent: number
  /** In few words: a tab is narrow. */
  title: string
}

const MARKS: Record<string, string> = { completed: '✓', failed: '✗', rejected: '✗' }
const WORDS = ['queued', 'cancelled']
const USUAL = 'icon.svg'
let drawn = ''

/** Without `progress`, the heading and the usual icon. */
export function showTab(heading: string, progress?: TabProgress): void {
  const parts = progress ? [markOf(progress), progress.title] : [heading]
  document.title = [...parts, 'Stagecast'].filter(Boolean).join(' · ')
  const icon = progress && !WORDS.includes(progress.status) ? iconOf(progress) : ''
  if (icon === drawn) return
  drawn = icon
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  if (!link) return
  if (link.href.startsWith('blob:')) URL.revokeObjectURL(link.href)
  link.href = icon ? URL.createObjectURL(new Blob([icon], { type: 'image/svg+xml' })) : USUAL
}

function markOf({ status, percent }: TabProgress): string {
  if (WORDS.includes(status)) return status.charAt(0).toUpperCase() + status.slice(1)
  return MARKS[status] ?? `${Math.round(percent)} %`
}

/** A ring that fills; at the end a check mark or a cross. */
function iconOf({ status, percent }: TabProgress): string {
  const isOver = status in MARKS
  const colour = !isOver ? '#0b8f88' : status === 'completed' ? '#2e8b47' : '#c8382c'
  const path = status === 'completed' ? 'M9 16.5l5 5 9-10' : 'M10.5 10.5l11 11m0-11l-11 11'
  const inside = isOver
    ? `<circle cx="16" cy="16" r="16" fill="${colour}"/>
       <path d="${path}" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round"/>`
    : `<circle cx="16" cy="16" r="12" fill="none" stroke="#8f9a96" stroke-width="7"/>
       <circle cx="16" cy="16" r="12" fill="none" stroke="${colour}" stroke-width="7" pathLength="100"
         stroke-dasharray="${Math.round(percent)} 100" transform="rotate(-90 16 16)"/>`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${inside}</svg>`
}
