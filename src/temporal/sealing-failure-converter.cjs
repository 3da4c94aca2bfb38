'use strict';

const { DefaultFailureConverter } = require('@temporalio/common');

/**
 * Puts messages and stack traces of failures into a payload, so that the codec seals them too. CommonJS, because
 * Temporal's worker loads it by its path, and bundles it with the workflows.
 */
exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
