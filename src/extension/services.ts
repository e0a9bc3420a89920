import type * as vscode from 'vscode';
import type { Inspector } from './editor/inspector.js';
import type { Problems } from './editor/problems.js';
import type { Scans } from './editor/scans.js';
import type { Dashboards } from './panel/dashboard.js';
import type { Places } from './places.js';
import type { RunManager } from './runs/runManager.js';
import type { ClaimsTree } from './views/claimsTree.js';
import type { RunsTree } from './views/runsTree.js';

/** What commands work with. */
export interface Services {
  readonly places: Places;
  readonly log: vscode.LogOutputChannel;
  readonly scans: Scans;
  readonly runs: RunManager;
  readonly dashboards: Dashboards;
  readonly inspector: Inspector;
  readonly problems: Problems;
  readonly runsTree: RunsTree;
  readonly claimsTree: ClaimsTree;
}
