// The benchmark's journey as @playwright/test has one write it. Each repetition
// comes by an edge line of its own, as the harness's visitors do.
import { expect, test } from "@playwright/test";

const { way, proxies } = JSON.parse(process.env.CROSSING_BENCH);

test("sign in, session, reload, session, token, api", async ({ browser }, info) => {
  const context = await browser.newContext({ proxy: { server: proxies[info.repeatEachIndex] } });
  const page = await context.newPage();
  await page.goto(way.SignIn);
  await page.locator(way.Email).fill(way.Person);
  await page.locator(way.Password).fill(way.PersonalPassword);
  await page.locator(way.Submit).click();
  await page.waitForURL(way.Account);
  await expect(page.locator(way.SignedIn)).toBeVisible();
  await page.reload();
  await expect(page.locator(way.SignedIn)).toBeVisible();
  await page.locator(way.Call).click();
  await expect(page.locator(way.Answer)).toBeVisible();
  await context.close();
});
