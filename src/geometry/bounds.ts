/** The least rectangle around a geometry; low above high when it is empty. */
export interface GeometryBounds {
  lowX: number;
  lowY: number;
  highX: number;
  highY: number;
}

/** Whether a geometry that lies within these bounds may pass. It errs on the side of true only. */
export type BoundsTest = (bounds: GeometryBounds) => boolean;

export const POINT_TYPE = 1;
const LINE_TYPE = 2;
const POLYGON_TYPE = 3;
/** Where the coordinates of a point begin. */
const POINT_AT = 5;

/**
 * Reads stored geometries, which are little-endian and were checked when they came in, without making objects of them: most
 * rows are told apart by their bounds alone.
 */
export class StoredGeometries {
  readonly #view: DataView;
  /** Of the geometry `measure` was last called for. */
  readonly bounds: GeometryBounds = { lowX: 0, lowY: 0, highX: 0, highY: 0 };
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether the geometry `measure` was last called for has no points at all. */
  get isEmpty(): boolean {
    return this.bounds.lowX > this.bounds.highX;
  }

  isPoint(start: number): boolean {
    return this.#view.getUint32(start + 1, true) === POINT_TYPE;
  }

  pointX(start: number): number {
    return this.#view.getFloat64(start + POINT_AT, true);
  }

  pointY(start: number): number {
    return this.#view.getFloat64(start + POINT_AT + 8, true);
  }

  /** Fills `bounds` with those of the geometry that begins at `start`. */
  measure(start: number): void {
    const { bounds } = this;
    this.#at = start;
    bounds.lowX = bounds.lowY = Infinity;
    bounds.highX = bounds.highY = -Infinity;
    this.#geometry();
  }

  #geometry(): void {
    const type = this.#view.getUint32(this.#at + 1, true);
    this.#at += POINT_AT;
    if (type === POINT_TYPE) return this.#coordinates(1);
    const count = this.#count();
    if (type === LINE_TYPE) return this.#coordinates(count);
    for (let part = 0; part < count; part++) {
      if (type === POLYGON_TYPE) this.#coordinates(this.#count());
      else this.#geometry();
    }
  }

  #count(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  /** Comparisons with NaN are false, so an empty point widens nothing. */
  #coordinates(count: number): void {
    const { bounds } = this;
    for (let index = 0; index < count; index++, this.#at += 16) {
      const x = this.#view.getFloat64(this.#at, true);
      const y = this.#view.getFloat64(this.#at + 8, true);
      if (x < bounds.lowX) bounds.lowX = x;
      if (x > bounds.highX) bounds.highX = x;
      if (y < bounds.lowY) bounds.lowY = y;
      if (y > bounds.highY) bounds.highY = y;
    }
  }
}

export function meet(a: GeometryBounds, b: GeometryBounds): boolean {
  return a.lowX <= b.highX && b.lowX <= a.highX && a.lowY <= b.highY && b.lowY <= a.highY;
}

/** Whether `inner` lies within `outer` and touches no side of it. */
export function isInside(inner: GeometryBounds, outer: GeometryBounds): boolean {
  return (
    outer.lowX < inner.lowX &&
    outer.lowY < inner.lowY &&
    inner.highX < outer.highX &&
    inner.highY < outer.highY
  );
}

/** Whether `inner` lies within `outer`; both are of geometries that are not empty. */
export function covers(outer: GeometryBounds, inner: GeometryBounds): boolean {
  return (
    outer.lowX <= inner.lowX &&
    outer.lowY <= inner.lowY &&
    inner.highX <= outer.highX &&
    inner.highY <= outer.highY
  );
}
