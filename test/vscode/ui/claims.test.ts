import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  command,
  exampleFiles,
  keepSightOfFailures,
  openSidePanel,
  openWorkbench,
  pageWith,
  pick,
  row,
  screenshot,
  seriousViolationsWithoutScripts,
  type Workbench,
} from './workbench.js';

describe('the claims of the theory', () => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await openWorkbench({ files: exampleFiles(['two-layer.ts']) });
    const { page } = bench;
    await openSidePanel(page);
    await page.locator('.pane-header', { hasText: 'Claims' }).click();
    // The tree draws only what there is room for.
    for (const other of ['Runs', 'Model Under'])
      await page.locator('.pane-header', { hasText: other }).click();
    await row(page, /^Neural tangent kernel/).waitFor({ timeout: 60_000 });
  });
  afterAll(() => bench?.close());
  keepSightOfFailures(() => bench);

  it('are measured one by one, with the verdict in the tree and the figures beside it', async () => {
    const { page } = bench;
    await command(page, 'Kernelscope: Verify a Claim');
    await page.locator('.quick-input-widget .quick-input-box input').fill('gaussian-process-init');
    await screenshot(page, 'claims-pick');
    await pick(page, 'gaussian-process-init');
    await pageWith(page, '#gaussian-process-init svg', 150_000);
    expect(await seriousViolationsWithoutScripts(page, '#gaussian-process-init svg')).toEqual([]);
    await row(page, /1 of \d+ hold$/).waitFor();
    await screenshot(page, 'claim-verified');
  });

  it('are left alone when the measuring is cancelled', async () => {
    const { page } = bench;
    await command(page, 'Kernelscope: Verify All Claims');
    const toast = page.locator('.notification-toast', { hasText: /Verifying \d+ claims/ });
    await toast.waitFor({ timeout: 60_000 });
    await screenshot(page, 'claims-running');
    await toast.getByRole('button', { name: 'Cancel' }).click();
    await toast.waitFor({ state: 'detached', timeout: 60_000 });
    await expect.poll(() => page.locator('.pane .codicon-loading').count(), { timeout: 30_000 }).toBe(0);
    expect(bench.troubles()).toEqual([]);
  });
});
