/** The console: one page that talks to the API it came from. */
import { render } from 'preact'
import { App } from './frame/app.tsx'
import { restoreTheme } from './state/theme.ts'

restoreTheme()
const root = document.getElementById('root')
if (root) render(<App />, root)
