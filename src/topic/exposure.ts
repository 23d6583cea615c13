import { isLoopback } from '../core/loopback.ts';

/** A warning if everyone on the network can connect to this socket. */
export function exposure({
  bind,
  curve,
}: {
  readonly bind?: string | undefined;
  readonly curve?: unknown;
}): string[] {
  if (bind === undefined || curve !== undefined || isLocal(bind)) return [];
  return [`${bind} is open to the network without encryption; set curve, or bind to 127.0.0.1`];
}

/** Whether an endpoint can only be reached from this machine. */
function isLocal(bind: string): boolean {
  const host = /^(?:tcp|ws):\/\/(.*):[^:]*$/s.exec(bind)?.[1];
  return host === undefined ? /^(ipc|inproc):/.test(bind) : isLoopback(host);
}
