/** An endpoint that nobody outside of this machine reaches. */
const local = /^(ipc|inproc):|^(tcp|ws):\/\/(127(\.\d+){3}|localhost|lo|\[::1\]):/;

/** What there is to say of a socket that others connect to: who may, if it does not encrypt. */
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
