// One worker, no retries: what the harness is compared with.
import { defineConfig } from "@playwright/test";

const given = JSON.parse(process.env.CROSSING_BENCH);

export default defineConfig({
  workers: 1,
  retries: 0,
  reporter: "line",
  outputDir: given.output,
  use: {
    headless: true,
    viewport: { width: 1280, height: 800 },
    launchOptions: { executablePath: given.executable, args: given.arguments },
  },
});
