/** Light, dark, or the system's choice. It is not secret, so it outlives the tab. */
import { Store } from './store.ts'

export type Theme = 'system' | 'light' | 'dark'
const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const KEY = 'stagecast.theme'

export const theme = new Store<Theme>('system')

export function restoreTheme(): void {
  const kept = localStorage.getItem(KEY)
  choose(kept === 'light' || kept === 'dark' ? kept : 'system')
}

export function nextTheme(): void {
  choose(NEXT[theme.value])
  localStorage.setItem(KEY, theme.value)
}

function choose(chosen: Theme): void {
  theme.set(chosen)
  document.documentElement.dataset.theme = chosen
}
