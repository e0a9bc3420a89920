import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { root } from './folders.js';

interface Message {
  readonly type: 'response' | 'event';
  readonly request_seq?: number;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: unknown;
}

export interface Diagnostic {
  readonly code: number;
  readonly text: string;
}

/**
 * TypeScript's server with the plugin of an extension's folder, started as VS Code starts it. `program` is another version's
 * tsserver.js; `extension: null` leaves the plugin out.
 */
export class TypeScriptServer {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, (message: Message) => void>();
  private sequence = 0;
  private received = Buffer.alloc(0);

  constructor(options: { readonly extension?: string | null; readonly program?: string } = {}) {
    const { extension = root } = options;
    const program =
      options.program ?? path.join(root, 'node_modules', 'typescript-classic', 'lib', 'tsserver.js');
    const plugins = extension
      ? ['--globalPlugins', 'kernelscope-tsserver', '--pluginProbeLocations', extension]
      : [];
    this.child = spawn(
      process.execPath,
      [program, '--useInferredProjectPerProjectRoot', '--disableAutomaticTypingAcquisition', ...plugins],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    this.child.stdout?.on('data', (data: Buffer) => this.read(data));
  }

  /** Frames of the answers: a header with the length, an empty line, JSON. */
  private read(data: Buffer): void {
    this.received = Buffer.concat([this.received, data]);
    for (;;) {
      const header = /Content-Length: (\d+)\r\n\r\n/.exec(this.received.toString('latin1'));
      if (!header) return;
      const start = header.index + header[0].length;
      const end = start + Number(header[1]);
      if (this.received.length < end) return;
      const message = JSON.parse(this.received.subarray(start, end).toString('utf8')) as Message;
      this.received = this.received.subarray(end);
      if (message.type !== 'response') continue;
      this.waiting.get(message.request_seq ?? -1)?.(message);
    }
  }

  private send(command: string, args: object): number {
    const seq = ++this.sequence;
    this.child.stdin?.write(`${JSON.stringify({ seq, type: 'request', command, arguments: args })}\n`);
    return seq;
  }

  async request<T>(command: string, args: object): Promise<T> {
    const message = await new Promise<Message>((resolve) => {
      this.waiting.set(this.send(command, args), resolve);
    });
    if (!message.success) throw new Error(`${command}: ${message.message}`);
    return message.body as T;
  }

  /** Opens a file, or gives an open one another text. */
  open(file: string, text: string, folder: string): void {
    this.send('open', { file, fileContent: text, projectRootPath: folder });
  }

  problems(file: string): Promise<Diagnostic[]> {
    return this.request('semanticDiagnosticsSync', { file });
  }

  /** What the hover shows at the first place where `text` stands, after `skip` characters of it. */
  async hover(file: string, source: string, text: string, skip = 0): Promise<string> {
    const body = await this.request<{ displayString: string; documentation: string }>('quickinfo', {
      file,
      ...place(source, source.indexOf(text) + skip),
    });
    return `${body.displayString}\n${body.documentation}`;
  }

  /** Names offered right behind the first `text`. */
  async completions(file: string, source: string, text: string): Promise<string[]> {
    const body = await this.request<{ entries: { name: string }[] }>('completionInfo', {
      file,
      ...place(source, source.indexOf(text) + text.length),
    });
    return body.entries.map(({ name }) => name);
  }

  /** The file in which the name at the first `text` is declared. */
  async declaredIn(file: string, source: string, text: string): Promise<string> {
    const [first] = await this.request<{ file: string }[]>('definition', {
      file,
      ...place(source, source.indexOf(text)),
    });
    return first.file;
  }

  stop(): void {
    this.child.kill();
  }
}

/** Line and column, from one. */
function place(source: string, at: number): { line: number; offset: number } {
  const before = source.slice(0, at).split('\n');
  return { line: before.length, offset: before[before.length - 1].length + 1 };
}
