import { defineConfig } from "@playwright/test";

const port = process.env.PORT ?? "3010";

export default defineConfig({
  testMatch: "*.spec.ts",
  expect: { timeout: Number(process.env.PATIENCE ?? 5000) },
  use: {
    baseURL: `http://localhost:${port}`,
    locale: "en-GB",
    // A browser that is on the machine already, such as /usr/bin/chromium; without it Playwright's own.
    launchOptions: { executablePath: process.env.CHROMIUM },
  },
  webServer: { command: "node app.mjs", url: `http://localhost:${port}/` },
});
