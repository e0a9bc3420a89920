import type * as vscode from 'vscode';
import type { Inspector } from './editor/inspector.js';
import type { Problems } from './editor/problems.js';
import type { Scans } from './editor/scans.js';
import type { Dashboards } from './panel/dashboard.js';
import type { ToolPages } from './panel/toolPages.js';
import type { Places } from './places.js';
import type { RunManager } from './runs/runManager.js';
import type { Sweeps } from './runs/sweeps.js';
import type { ClaimsTree } from './views/claimsTree.js';
import type { RunsTree } from './views/runsTree.js';

/** What commands work with. */
export interface Services {
  readonly places: Places;
  readonly log: vscode.LogOutputChannel;
  readonly scans: Scans;
  readonly runs: RunManager;
  readonly sweeps: Sweeps;
  readonly dashboards: Dashboards;
  readonly pages: ToolPages;
  readonly inspector: Inspector;
  readonly problems: Problems;
  readonly runsTree: RunsTree;
  readonly claimsTree: ClaimsTree;
}
