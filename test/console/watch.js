// Opens the page of a group of workers, as a person would, and tells on standard output what it shows, each time that this has
// changed; until standard input ends: watch.js http://HOST:PORT GROUP
import { setTimeout as sleep } from 'node:timers/promises'
import puppeteer from 'puppeteer-core'

const [base, group] = process.argv.slice(2)
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-prefers-reduced-motion'],
})
let ended = false
process.stdin
  .on('end', () => {
    ended = true
  })
  .resume()
const tell = what => process.stdout.write(`${JSON.stringify(what)}\n`)
try {
  const page = await browser.newPage()
  page.on('pageerror', error => tell({ complaint: String(error) }))
  await page.goto(`${base}/#/groups`)
  // It appears by itself with the first worker.
  const link = await page.waitForSelector(`main a[href="#/workers/${group}"]`, { timeout: 30_000 })
  await link.click()
  await page.waitForFunction(name => document.querySelector('h1')?.textContent === name, {}, group)
  let before = ''
  while (!ended) {
    const shown = await page.evaluate(() => {
      const sum = title =>
        [...document.querySelectorAll(`main td[data-title="${title}"]`)]
          .map(cell => Number(cell.textContent.replace(/\D/g, '')))
          .reduce((all, each) => all + each, 0)
      return { done: sum('All done before'), notDone: sum('Not done'), withWorkers: sum('With workers') }
    })
    if (JSON.stringify(shown) !== before) tell(shown)
    before = JSON.stringify(shown)
    await sleep(100)
  }
} catch (error) {
  tell({ complaint: String(error.stack ?? error) })
} finally {
  await browser.close()
}
process.exit(0)
