// A real VS Code without the desktop download: code-server from npm, in .host/<name> (git-ignored).
//   node .ci/host.js current|oldest     installs the host if it is not there
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');

const root = path.join(__dirname, '..');

/** Which code-server holds which VS Code, and the Node its extension host runs on. */
const hosts = {
  current: { codeServer: '4.139.1', vscode: '1.139.1', node: '24.21.0' },
  oldest: { codeServer: '4.99.4', vscode: '1.99.3', node: null },
};

const folderOf = (name) => path.join(root, '.host', name);
const inHost = (name, ...parts) => path.join(folderOf(name), 'node_modules', ...parts);

function npm(args, cwd) {
  const result = spawnSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) throw new Error(`npm ${args.join(' ')} failed in ${cwd}`);
}

/** Installs a host once; a marker file says that all three steps were done. */
function ensureHost(name) {
  const host = hosts[name];
  if (!host) throw new Error(`There is no host "${name}"; choose ${Object.keys(hosts).join(' or ')}.`);
  const folder = folderOf(name);
  const marker = path.join(folder, 'complete.json');
  const wanted = JSON.stringify(host);
  if (fs.existsSync(marker) && fs.readFileSync(marker, 'utf8') === wanted) return host;
  console.log(`Installing VS Code ${host.vscode} (code-server ${host.codeServer}) into .host/${name} …`);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'package.json'), '{"private":true}\n');
  const packages = [`code-server@${host.codeServer}`];
  if (host.node) packages.push(`${nodePackage()}@${host.node}`);
  npm(['install', '--ignore-scripts', '--no-save', ...packages], folder);
  const inner = inHost(name, 'code-server', 'lib', 'vscode');
  npm(['install', '--ignore-scripts', '--omit=dev'], inner);
  npm(['install', '--ignore-scripts', '--omit=dev'], path.join(inner, 'extensions'));
  fs.writeFileSync(marker, wanted);
  return host;
}

const nodePackage = () => `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

/** Node of a host: its own from npm, else the one that runs this. */
function nodeOf(name) {
  return hosts[name].node ? inHost(name, nodePackage(), 'bin', 'node') : process.execPath;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function answers(url) {
  return new Promise((resolve) => {
    const request = http.get(url, (response) => {
      response.resume();
      resolve(response.statusCode < 500);
    });
    request.on('error', () => resolve(false));
    request.setTimeout(1000, () => request.destroy());
  });
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Starts a host. `home` keeps settings and extensions; `settings` are the user's; `testing` lets the workbench take a
 * test suite from the address. Resolves once it answers; `stop()` ends its whole process group.
 */
async function startHost(name, { home, settings = {}, testing = false, port, env = {}, bind = '127.0.0.1' }) {
  ensureHost(name);
  const chosen = port ?? (await freePort());
  const user = path.join(home, 'user');
  const extensions = path.join(home, 'extensions');
  fs.mkdirSync(path.join(user, 'User'), { recursive: true });
  fs.mkdirSync(extensions, { recursive: true });
  fs.writeFileSync(path.join(user, 'User', 'settings.json'), JSON.stringify(settings, null, 1));
  const server = inHost(name, 'code-server');
  const old = name === 'oldest';
  const args = old
    ? [
        path.join(server, 'lib', 'vscode', 'out', 'server-main.js'),
        ...['--host', bind, '--port', String(chosen), '--without-connection-token'],
        ...['--accept-server-license-terms', '--telemetry-level', 'off'],
        ...['--server-data-dir', home, '--user-data-dir', user, '--extensions-dir', extensions],
        ...(testing ? ['--enable-smoke-test-driver'] : []),
      ]
    : [
        path.join(server, 'out', 'node', 'entry.js'),
        ...[
          '--config',
          path.join(home, 'config.yaml'),
          '--user-data-dir',
          user,
          '--extensions-dir',
          extensions,
        ],
        ...[
          '--bind-addr',
          `${bind}:${chosen}`,
          '--auth',
          'none',
          '--disable-telemetry',
          '--disable-update-check',
        ],
        ...['--ignore-last-opened', '--disable-getting-started-override'],
        ...(testing ? ['--vscode-option', 'enable-smoke-test-driver'] : []),
      ];
  fs.writeFileSync(path.join(home, 'config.yaml'), '');
  const log = fs.openSync(path.join(home, 'server.log'), 'w');
  const child = spawn(nodeOf(name), args, {
    detached: process.platform !== 'win32',
    stdio: ['ignore', log, log],
    env: {
      ...process.env,
      HOME: home,
      XDG_CONFIG_HOME: path.join(home, 'config'),
      XDG_DATA_HOME: path.join(home, 'data'),
      XDG_CACHE_HOME: path.join(home, 'cache'),
      ...env,
    },
  });
  const stop = () => {
    try {
      process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  const probe = `http://127.0.0.1:${chosen}/${old ? 'version' : 'healthz'}`;
  for (let i = 0; i < 300; i++) {
    if (child.exitCode !== null) break;
    if (await answers(probe)) return { port: chosen, url: `http://127.0.0.1:${chosen}/`, stop, extensions };
    await wait(100);
  }
  stop();
  throw new Error(`The ${name} host did not start; see ${path.join(home, 'server.log')}.`);
}

module.exports = { hosts, ensureHost, startHost, nodeOf, folderOf };

if (require.main === module) {
  try {
    for (const name of process.argv.slice(2)) ensureHost(name);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
