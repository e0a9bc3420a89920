import * as vscode from 'vscode';
import { Processes } from './processes.js';

/** The gate of this window. */
export const processes = new Processes(() => vscode.workspace.isTrusted);
