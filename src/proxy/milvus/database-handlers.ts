import type { FrontServices, Handlers } from './handler.ts';
import { databaseOf } from './lookup.ts';
import { checkProperties } from './properties.ts';
import { MishardsError } from '../../errors/index.ts';
import { checkDatabaseName } from '../../schema/index.ts';
import { pairsOf, recordOfPairs } from '../translate/key-values.ts';
import { SUCCESS } from '../translate/status.ts';

export function databaseHandlers({
  core,
}: FrontServices): Handlers<
  'CreateDatabase' | 'DropDatabase' | 'ListDatabases' | 'DescribeDatabase' | 'AlterDatabase'
> {
  return {
    async CreateDatabase({ dbName, properties }, call) {
      checkDatabaseName(dbName);
      const given = recordOfPairs(properties);
      checkProperties(given, 'database');
      await core.execute({ kind: 'create-database', name: dbName, properties: given }, call);
      return SUCCESS;
    },
    async DropDatabase({ dbName }, call) {
      checkDatabaseName(dbName);
      await core.execute({ kind: 'drop-database', name: dbName }, call);
      return SUCCESS;
    },
    ListDatabases() {
      const databases = [...core.catalog.snapshot().databases.values()];
      return {
        status: SUCCESS,
        dbNames: databases.map((database) => database.name),
        dbIds: BigInt64Array.from(databases, (database) => BigInt(database.id)),
        createdTimestamp: BigUint64Array.from(databases, (database) => BigInt(database.createdTimestamp)),
      };
    },
    DescribeDatabase(request, call) {
      const database = databaseOf(core.catalog.snapshot(), request, call);
      return {
        status: SUCCESS,
        dbName: database.name,
        dbID: BigInt(database.id),
        createdTimestamp: BigInt(database.createdTimestamp),
        properties: pairsOf(database.properties),
      };
    },
    async AlterDatabase(request, call) {
      const { name } = databaseOf(core.catalog.snapshot(), request, call);
      const set = recordOfPairs(request.properties);
      const remove = request.deleteKeys;
      if (Object.keys(set).length > 0 && remove.length > 0) {
        throw new MishardsError(
          'PARAMETER_INVALID',
          'properties and delete_keys cannot be given together; send two requests',
        );
      }
      checkProperties(set, 'database');
      await core.execute({ kind: 'alter-database', name, set, remove }, call);
      return SUCCESS;
    },
  };
}
