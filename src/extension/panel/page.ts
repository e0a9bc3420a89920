import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { Places } from '../places.js';

/** The HTML around the dashboard's script. Nothing but our own files and inline styles (the charts' and the toolkit's). */
export function dashboardHtml(webview: vscode.Webview, places: Places): string {
  const nonce = randomBytes(16).toString('base64');
  const uri = (name: string) =>
    webview.asWebviewUri(vscode.Uri.file(places.dist('webview', name))).toString();
  const policy = [
    `default-src 'none'`,
    `img-src ${webview.cspSource} data: blob:`,
    `style-src ${webview.cspSource} 'unsafe-inline'`,
    `font-src ${webview.cspSource}`,
    `script-src 'nonce-${nonce}'`,
  ].join('; ');
  return `<!doctype html>
<html lang="${vscode.env.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="stylesheet" href="${uri('styles.css')}">
<title>Kernelscope</title>
</head>
<body><script nonce="${nonce}" src="${uri('dashboard.js')}"></script></body>
</html>`;
}
