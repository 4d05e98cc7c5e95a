SELECT block, pairs, blocks_capped, pairs_left_out FROM identity.match_blocks
