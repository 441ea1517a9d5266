#pragma once

namespace mishards {

/**
 * Lets the calling thread run longer at a time, so that a thread with the usual turns which wakes up, as JavaScript's does, need
 * not wait until this one's is over. Takes nothing of its share. Linux from 6.12 on; elsewhere it does nothing.
 */
void takeLongTurns();

}  // namespace mishards
