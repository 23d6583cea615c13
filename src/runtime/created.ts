import { type ErrorCode, located } from '../core/errors.ts';
import { unlessIdle } from '../core/unless-idle.ts';

/** What `create` of a component gives, also if it is not asynchronous; its errors name the component. */
export async function created<T>(
  create: () => Promise<T>,
  code: ErrorCode,
  path: string,
): Promise<T> {
  const never = '"create" never finishes: it has nothing left to wait for';
  try {
    return await unlessIdle((async () => create())(), never);
  } catch (error) {
    throw located(error, code, path);
  }
}
