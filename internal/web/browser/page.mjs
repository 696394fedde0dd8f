// One browser, and what every page must keep: asked of each page at both widths.
import { createRequire } from 'node:module'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const from = createRequire(join(process.env.SUA_BROWSER_MODULES, 'package.json'))
const { chromium } = from('playwright-core')
const axe = readFileSync(from.resolve('axe-core/axe.min.js'), 'utf8')

export const site = process.env.SUA_BROWSER_SITE
export const long = process.env.SUA_TEST_LONG !== undefined && process.env.SUA_TEST_LONG !== ''
const widths = [1280, 375]

// faults are the lines that make the test fail; none is thrown, so that one run tells them all.
export const faults = []
export const fault = (where, what) => { faults.push(`${where}: ${what}`) }

const browser = await chromium.launch({
  executablePath: process.env.SUA_BROWSER_CHROME,
  // As root Chromium has no sandbox. The rest keeps it from speaking to anybody but the server under test.
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
})

// visitor opens a window and notes what the browser complains about, content policy included.
export async function visitor({ width = 1280, script = true } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 900 }, javaScriptEnabled: script, reducedMotion: 'reduce', timezoneId: 'Europe/Rome', locale: 'it-IT',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  // A page that refuses an input answers with a status of its own; Chromium says so on the console, and that is no fault.
  page.on('console', m => { if (m.type() === 'error' && !/^Failed to load resource: the server responded with a status of 4\d\d/.test(m.text())) fault(page.url(), `console: ${m.text()}`) })
  page.on('pageerror', e => fault(page.url(), `script: ${e.message}`))
  page.on('response', r => { if (r.status() >= 400 && !r.request().isNavigationRequest()) fault(page.url(), `${r.url()} answers ${r.status()}`) })
  return page
}

export async function signIn(page, account) {
  await page.goto(site + '/accedi')
  await page.locator(`form:has(input[value="${account}"]) button`).click()
  await page.getByRole('heading', { level: 1, name: 'Procedure' }).waitFor()
}

// look opens an address and checks the page at both widths.
export async function look(page, path, status = 200) {
  const answer = await page.goto(site + path)
  if (answer.status() !== status) fault(path, `status ${answer.status()}, want ${status}`)
  await check(page, path)
}

// check asks of the page on show what every page must keep. Pages have no script, so a window made narrow shows what a narrow
// one would have loaded.
export async function check(page, name) {
  if (await page.locator('h1').count() !== 1) fault(name, 'not one h1')
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 })
    await noSideways(page, `${name} at ${width}`)
    await page.evaluate(() => { for (const d of document.querySelectorAll('details')) d.open = true })
    await noSideways(page, `${name} at ${width}, all unfolded`)
    await accessible(page, `${name} at ${width}`)
  }
  for (const f of await page.evaluate(namelessFields)) fault(name, `a field without a label: ${f}`)
  await page.keyboard.press('Tab') // what is focused after a key shows it, also when a script moves it
  for (const f of await page.evaluate(hiddenFocus)) fault(name, `focus cannot be seen on ${f}`)
}

async function noSideways(page, name) {
  const [over, who] = await page.evaluate(() => {
    const root = document.documentElement, over = root.scrollWidth - root.clientWidth
    if (over <= 0) return [0, '']
    const far = [...document.querySelectorAll('main *, header *, footer *')].filter(e => !e.closest('.sua-scroll') && e.getBoundingClientRect().right > root.clientWidth + 1)
    return [over, far.slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(' ')]
  })
  if (over > 0) fault(name, `scrolls sideways by ${over} px: ${who}`)
}

async function accessible(page, name) {
  await page.evaluate(axe)
  const broken = await page.evaluate(async () => {
    const result = await window.axe.run({
      resultTypes: ['violations'],
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'],
      rules: { 'heading-order': { enabled: true } },
    })
    return result.violations.map(v => `${v.id} (${v.help}), ${v.nodes.length} times: ${v.nodes[0].html.slice(0, 160)} ${v.nodes[0].failureSummary?.split('\n')[1] ?? ''}`)
  })
  for (const b of broken) fault(name, `axe: ${b}`)
}

function namelessFields() {
  return [...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
    .filter(e => ![...(e.labels ?? [])].some(l => l.textContent.trim()) && !e.getAttribute('aria-label')?.trim() && !e.getAttribute('aria-labelledby'))
    .map(e => e.outerHTML.slice(0, 120))
}

// hiddenFocus moves the focus over all that takes it: each must change in a way that can be seen, and be on the page.
function hiddenFocus() {
  const look = e => { const s = getComputedStyle(e); return [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.borderColor, s.backgroundColor].join() }
  const lines = e => { const s = getComputedStyle(e); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1 || s.boxShadow !== 'none' }
  const out = []
  for (const e of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')) {
    if (e.disabled || !e.checkVisibility()) continue
    document.activeElement?.blur()
    const before = look(e)
    e.focus()
    if (document.activeElement !== e) continue
    const box = e.getBoundingClientRect()
    if (box.width < 4 || box.height < 4 || !lines(e) && look(e) === before || look(e) === before) out.push(e.outerHTML.slice(0, 120))
  }
  return out.slice(0, 5)
}

// end closes the browser, writes the faults and gives the exit code.
export async function end() {
  await browser.close()
  for (const f of faults) console.log(f)
  process.exitCode = faults.length > 0 ? 1 : 0
}

// broken tells where a test broke off, and keeps what the page showed. Without script Chromium cannot take a picture: then its text.
export async function broken(page, name, error) {
  const folder = process.env.SUA_BROWSER_SHOTS
  mkdirSync(folder, { recursive: true })
  const file = join(folder, name)
  writeFileSync(file + '.html', await page.content())
  await page.screenshot({ path: file + '.png', fullPage: true, timeout: 5_000 }).catch(() => {})
  fault(page.url(), `${error.message.split('\n').slice(0, 4).join(' ')}; see ${file}.html, .png`)
}
