// three has no types of its own; tests use its reader of PLY files.
declare module 'three/examples/jsm/loaders/PLYLoader.js' {
  interface Attribute {
    readonly array: Float32Array | Uint8Array;
  }
  export class PLYLoader {
    setCustomPropertyNameMapping(mapping: Readonly<Record<string, readonly string[]>>): void;
    parse(data: ArrayBuffer): {
      readonly attributes: { readonly position: Attribute; readonly rgb: Attribute };
    };
  }
}
