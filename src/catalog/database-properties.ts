/** How many collections a database may have; without it the limit of the whole catalog is all there is. */
export const MAX_COLLECTIONS = 'database.max.collections';
