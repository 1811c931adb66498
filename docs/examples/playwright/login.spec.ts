import { expect, test, type Page } from "@playwright/test";

// The holder of the running sandbox, as jitsuin up has it on Linux, and whom the tests act as (jitsuin holder personas).
const holder = process.env.HOLDER ?? "http://127.0.84.50:8400";
const somebody = process.env.PERSONA ?? "resident-2";
const revoked = process.env.REVOKED ?? "resident-12"; // after: jitsuin holder end resident-12

type Outcome = "consent" | "cancel" | "wrong-pin" | "locked-pin" | "removed-card" | "revoked" | "time-out";

/** Goes from the application to the holder, as a person does who wants to log in, and gives the address to which the browser was led there. */
async function begin(page: Page) {
  const led = page.waitForRequest((r) => r.url().startsWith(`${holder}/request?`));
  await page.goto("/");
  await page.getByRole("link", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Log in with your card", exact: true }).click(); // of the ways that the platform offers, the one by the holder
  await page.waitForURL(`${holder}/request/**`);
  return (await led).url();
}

/** Has a named person do something about a request, and leads the browser that began it on. */
async function answer(page: Page, request: string, persona: string, outcome: Outcome) {
  const response = await page.request.post(`${holder}/sandbox/approvals`, { data: { request, persona, outcome } });
  expect(response.status(), await response.text()).toBe(201);
  const answered = await response.json();
  if (answered.return_url) await page.goto(answered.return_url);
  return answered;
}

/** Logs in and gives who the application takes the person for. */
async function login(page: Page, persona: string) {
  await answer(page, await begin(page), persona, "consent");
  await expect(page.getByRole("heading")).toHaveText("Welcome");
  return page.getByRole("code").innerText();
}

test("somebody logs in, and is the same person the next time", async ({ page, browser }) => {
  const subject = await login(page, somebody);
  expect(subject).toMatch(/^[0-9a-f]{32}$/);
  const another = await browser.newPage(); // with cookies of its own
  expect(await login(another, somebody)).toBe(subject);
});

// Whatever goes wrong between a person and their card, the application hears that they did not agree, and never why.
for (const [outcome, happened] of [["cancel", undefined], ["wrong-pin", "pin-wrong"], ["locked-pin", "pin-blocked"], ["removed-card", "card-gone"]] as const) {
  test(`${outcome}: nobody is logged in, and the person may begin anew`, async ({ page }) => {
    const answered = await answer(page, await begin(page), somebody, outcome);
    expect(answered.happened).toBe(happened);
    await expect(page.getByRole("heading")).toHaveText("Not logged in");
    await expect(page.getByText("access_denied")).toBeVisible();
    await page.getByRole("link", { name: "Begin anew" }).click();
    await expect(page.getByRole("button", { name: "Log in with your card", exact: true })).toBeVisible();
  });
}

test("revoked: who comes with a revoked certificate is not logged in", async ({ page }) => {
  await answer(page, await begin(page), revoked, "revoked");
  await expect(page.getByRole("heading")).toHaveText("Not logged in");
});

test("time-out: who walks away is not logged in, and may begin anew", async ({ page }) => {
  const answered = await answer(page, await begin(page), somebody, "time-out");
  expect(answered.return_url).toBeUndefined(); // no answer is ever sent
  await login(page, somebody); // the card is as it was, too
});

test("a request is answered once", async ({ page }) => {
  const request = await begin(page);
  await answer(page, request, somebody, "cancel");
  const again = await page.request.post(`${holder}/sandbox/approvals`, { data: { request, persona: somebody } });
  expect(again.status()).toBe(409);
  expect((await again.json()).code).toBe("request-answered");
});
