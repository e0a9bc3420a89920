/**
 * The panel's end of the wire to the extension host (protocol/viewWire). Messages are checked before they are believed;
 * a handler that throws is reported to the host, so that nobody waits for ever.
 */
import { type FromView, type ToView, viewWireVersion } from '../src/protocol/viewWire.js';

interface HostApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare global {
  function acquireVsCodeApi(): HostApi;
}

const kinds: ReadonlySet<string> = new Set(['hello', 'snapshot', 'frame', 'status', 'remove', 'failure']);

function isToView(value: unknown): value is ToView {
  return typeof value === 'object' && value !== null && kinds.has(String((value as { type?: unknown }).type));
}

/** What the panel remembers over a reload of the window: which runs it shows and how. */
export type PanelState = Readonly<Record<string, unknown>>;

export class Channel {
  private readonly host: HostApi;

  constructor(handle: (message: ToView) => void) {
    this.host = acquireVsCodeApi();
    window.addEventListener('message', (event) => {
      if (!isToView(event.data)) return;
      try {
        handle(event.data);
      } catch (error) {
        this.send({
          type: 'problem',
          text: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      }
    });
    window.addEventListener('error', (event) => this.send({ type: 'problem', text: event.message }));
    window.addEventListener('unhandledrejection', (event) =>
      this.send({ type: 'problem', text: String(event.reason) }),
    );
  }

  start(): void {
    this.send({ type: 'ready', version: viewWireVersion });
  }

  send(message: FromView): void {
    this.host.postMessage(message);
  }

  get state(): PanelState {
    const state = this.host.getState();
    return typeof state === 'object' && state !== null ? (state as PanelState) : {};
  }

  /** Merges into the remembered state. */
  remember(part: PanelState): void {
    this.host.setState({ ...this.state, ...part });
  }
}
