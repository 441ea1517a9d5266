import { routingConformance } from '../../../test/conformance/routing.ts';
import { RoundRobinRouter } from './round-robin-router.ts';

routingConformance({
  name: 'round-robin',
  createRouter: () => new RoundRobinRouter(),
  notSupported: {
    'moves little when a node joins or leaves': 'dealing anew moves nearly every item',
    'busiest node within 1.25 of its fair share': 'items are counted, not weighed',
    'loads follow the weights of nodes': 'every node gets the same count',
    'the items of a failed node spread over the others': 'the next node in turn takes all of them',
  },
});
