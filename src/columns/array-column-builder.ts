import type { ArrayColumn, Column, ScalarColumn } from './column.ts';
import type { ColumnBuilder } from './column-builder.ts';
import { scalarShape, type ColumnShape } from './column-shape.ts';
import { OffsetsBuilder } from './offsets-builder.ts';
import type { ElementType } from '../schema/index.ts';
import { assert } from '../util/assert.ts';
import { ValidityBuilder } from './validity-builder.ts';

/** Builds columns of arrays. */
export class ArrayColumnBuilder implements ColumnBuilder {
  readonly #elementType: ElementType;
  readonly #offsets: OffsetsBuilder;
  readonly #elements: ColumnBuilder;
  readonly #validity = new ValidityBuilder();

  constructor(
    elementType: ElementType | null,
    capacityRows: number,
    createElements: (shape: ColumnShape) => ColumnBuilder,
  ) {
    assert(elementType !== null, 'an array has an element type');
    this.#elementType = elementType;
    this.#offsets = new OffsetsBuilder(capacityRows);
    this.#elements = createElements(scalarShape(elementType));
  }

  get length(): number {
    return this.#validity.length;
  }

  get sizeBytes(): number {
    return this.#offsets.sizeBytes + this.#elements.sizeBytes + this.#validity.sizeBytes;
  }

  append(column: Column, from = 0, to = column.length): void {
    const { offsets, elements } = this.#checked(column);
    this.#offsets.append(offsets, from, to);
    this.#elements.append(elements, offsets[from]!, offsets[to]!);
    this.#validity.append(column.validity, from, to);
  }

  appendRows(column: Column, rows: Uint32Array): void {
    const { offsets, elements } = this.#checked(column);
    const start = this.#offsets.appendRows(offsets, rows);
    const elementRows = new Uint32Array(this.#offsets.end - start);
    let at = 0;
    for (const row of rows) {
      for (let element = offsets[row]!; element < offsets[row + 1]!; element++) elementRows[at++] = element;
    }
    this.#elements.appendRows(elements, elementRows);
    this.#validity.appendRows(column.validity, rows);
  }

  appendNulls(count: number): void {
    this.#offsets.appendEmpty(count);
    this.#validity.appendNulls(count);
  }

  view(): ArrayColumn {
    return {
      type: 'Array',
      elementType: this.#elementType,
      length: this.length,
      validity: this.#validity.view(),
      offsets: this.#offsets.view(),
      elements: this.#elements.view() as ScalarColumn,
    };
  }

  #checked(column: Column): ArrayColumn {
    assert(
      column.type === 'Array' && column.elementType === this.#elementType,
      `an array of ${this.#elementType} cannot take ${column.type === 'Array' ? column.elementType : column.type}`,
    );
    return column;
  }
}
