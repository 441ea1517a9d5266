import { routingConformance } from '../../../test/conformance/routing.ts';
import { RendezvousRouter } from './rendezvous-router.ts';

routingConformance({
  name: 'rendezvous',
  createRouter: () => new RendezvousRouter(),
  notSupported: {
    'busiest node within 1.25 of its fair share': 'each item chooses alone, so loads vary as chance does',
  },
});
