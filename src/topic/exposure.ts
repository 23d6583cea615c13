/** An endpoint that can only be reached from this machine. */
const local = /^(ipc|inproc):|^(tcp|ws):\/\/(127(\.\d+){3}|localhost|lo|\[::1\]):/;

/** A warning if everyone on the network can connect to this socket. */
export function exposure({
  bind,
  curve,
}: {
  readonly bind?: string | undefined;
  readonly curve?: unknown;
}): string[] {
  if (bind === undefined || curve !== undefined || local.test(bind)) return [];
  return [`${bind} is open to the network without encryption; set curve, or bind to 127.0.0.1`];
}
