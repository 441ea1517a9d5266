import { childrenOf, type FilterNode } from '../ast.ts';
import { filterError } from '../filter-error.ts';
import { DEFAULT_FILTER_LIMITS, type FilterLimits } from '../filter-limits.ts';
import { Parser } from './parser.ts';

/**
 * Parses a filter of Milvus's language (docs/reference/filter.md). Blank text is `true`: every row passes. Field names are
 * not looked up yet. Errors: `FILTER_INVALID`, with the character where reading stopped. Time and memory are linear in
 * the text; the stack is bounded by `limits.depthMax`.
 */
export function parseFilter(text: string, limits: FilterLimits = DEFAULT_FILTER_LIMITS): FilterNode {
  if (text.length > limits.lengthMax) {
    throw filterError(
      limits.lengthMax,
      `the filter has ${text.length} characters, at most ${limits.lengthMax} are read; split it or pass values as parameters`,
    );
  }
  if (!text.isWellFormed())
    throw filterError(0, 'the text has half of a surrogate pair; send well-formed Unicode');
  if (text.trim() === '') return { kind: 'literal', at: 0, value: true };
  const node = new Parser(text, limits).parse();
  assertDepth(node, limits.depthMax);
  return node;
}

/** The parser bounds its own recursion; this bounds that of whoever walks the tree, such as left-deep `1 + 1 + 1 + …`. */
function assertDepth(root: FilterNode, depthMax: number): void {
  let level: readonly FilterNode[] = [root];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > depthMax)
      throw filterError(level[0]!.at, `the filter nests deeper than ${depthMax} levels; flatten it`);
    level = level.flatMap(childrenOf);
  }
}
