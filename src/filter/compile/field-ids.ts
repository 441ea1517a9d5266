import type { DynamicExpression, Operand, Predicate } from '../plan.ts';

/** Every field a predicate reads, ascending. */
export function fieldIdsOf(predicate: Predicate): readonly number[] {
  const ids = new Set<number>();
  addPredicate(predicate, ids);
  return [...ids].sort((left, right) => left - right);
}

function addPredicate(predicate: Predicate, ids: Set<number>): void {
  switch (predicate.kind) {
    case 'constant':
    case 'indexed':
      return;
    case 'and':
    case 'or':
      for (const operand of predicate.operands) addPredicate(operand, ids);
      return;
    case 'not':
      return addPredicate(predicate.operand, ids);
    case 'between':
    case 'in':
    case 'like':
      return addOperand(predicate.operand, ids);
    case 'compare':
      addOperand(predicate.left, ids);
      return addOperand(predicate.right, ids);
    case 'json':
      ids.add(predicate.source.fieldId);
      return;
    case 'dynamic':
      return addDynamic(predicate.expression, ids);
    default:
      ids.add(predicate.fieldId);
  }
}

function addOperand(operand: Operand, ids: Set<number>): void {
  if (operand.kind === 'constant') return;
  if (operand.kind !== 'arithmetic') {
    ids.add(operand.fieldId);
    return;
  }
  addOperand(operand.left, ids);
  addOperand(operand.right, ids);
}

function addDynamic(expression: DynamicExpression, ids: Set<number>): void {
  if (expression.kind === 'constant') return;
  if (expression.kind !== 'arithmetic') {
    ids.add(expression.source.fieldId);
    return;
  }
  addDynamic(expression.left, ids);
  addDynamic(expression.right, ids);
}
