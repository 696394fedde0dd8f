// node self.mjs: spoils a page in every way the checks look for, and fails when one of them sees nothing.
import { check, end, faults, site, visitor } from './page.mjs'

const page = await visitor()
await page.goto(site + '/accedi')
await check(page, 'sound')
const sound = faults.splice(0)
const missing = page.waitForResponse(/none\.png/)
await page.evaluate(() => {
  document.querySelector('main').insertAdjacentHTML('beforeend', `<h1>second</h1><h4>jump</h4><input name="nameless"><p id="pale">pale</p><div id="wide">wide</div>
    <button id="blind">blind</button><p style="color: red">inline</p><img src="/risorse/none.png" alt="">`)
  const set = (id, name, value) => document.getElementById(id).style.setProperty(name, value, 'important')
  set('pale', 'color', '#ccc')
  set('wide', 'width', '3000px')
  for (const name of ['outline', 'box-shadow', 'border']) set('blind', name, 'none')
  const script = document.createElement('script')
  script.textContent = '1'
  document.querySelector('main').append(script)
  console.error('a word on the console')
})
await missing
await check(page, 'spoilt')
const found = faults.splice(0)
faults.push(...sound)
for (const want of [
  /not one h1/, /heading-order/, /a field without a label.*nameless/, /axe: label/, /color-contrast/, /scrolls sideways.*wide/, /focus cannot be seen on .*blind/,
  /inline style violates/, /inline script violates/, /console: a word/, /none\.png answers 404/,
]) if (!found.some(f => want.test(f))) faults.push(`a spoilt page is not found out: ${want}, among ${found.join('; ')}`)
await end()
