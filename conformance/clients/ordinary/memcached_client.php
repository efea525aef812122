<?php
// The extension memcached of PHP, over libmemcached, in text and in the binary protocol.

function same($is, $must, $what)
{
    if ($is !== $must) {
        fwrite(STDERR, "$what: " . var_export($is, true) . ', not ' . var_export($must, true) . "\n");
        exit(1);
    }
}

foreach ([false, true] as $binary) {
    $m = new Memcached();
    $m->setOption(Memcached::OPT_BINARY_PROTOCOL, $binary);
    $m->addServer(getenv('HOST'), (int) getenv('PORT'));
    $m->flush();
    same($m->set('foo', ['a' => 1, 'b' => [2, null]], 100), true, 'set');
    same($m->get('foo'), ['a' => 1, 'b' => [2, null]], 'get');
    same($m->get('none'), false, 'get of nothing');
    same($m->getResultCode(), Memcached::RES_NOTFOUND, 'its code');
    same($m->add('foo', 'x'), false, 'add');
    same($m->getResultCode(), $binary ? Memcached::RES_DATA_EXISTS : Memcached::RES_NOTSTORED, 'its code');
    same($m->replace('none', 'x'), false, 'replace');
    $m->setOption(Memcached::OPT_COMPRESSION, false);
    same($m->set('text', 'middle'), true, 'set text');
    same($m->append('text', ' end') && $m->prepend('text', 'start '), true, 'append, prepend');
    same($m->get('text'), 'start middle end', 'what they made');
    same($m->set('counter', 10), true, 'set a number');
    same($m->increment('counter', 5), 15, 'increment');
    same($m->decrement('counter', 20), 0, 'decrement');
    if ($binary) {
        same($m->increment('fresh', 1, 7, 100), 7, 'increment with an initial value');
    }
    same($m->setMulti(['k1' => 'v1', 'ключ' => '缓存', 'k3' => 3], 100), true, 'setMulti');
    same($m->getMulti(['k1', 'ключ', 'k3', 'k4']), ['k1' => 'v1', 'ключ' => '缓存', 'k3' => 3], 'getMulti');
    $found = $m->get('k1', null, Memcached::GET_EXTENDED);
    same($m->cas($found['cas'], 'k1', 'mine'), true, 'cas');
    same($m->cas($found['cas'], 'k1', 'again'), false, 'cas again');
    same($m->getResultCode(), Memcached::RES_DATA_EXISTS, 'its code');
    same($m->touch('k1', 1000), true, 'touch');
    same($m->delete('k1'), true, 'delete');
    same($m->delete('k1'), false, 'delete again');
    same($m->deleteMulti(['ключ', 'none']), ['ключ' => true, 'none' => Memcached::RES_NOTFOUND], 'deleteMulti');
    same(count($m->getStats()), 1, 'getStats');
    same($m->set('large', str_repeat('lorem ', 100000)), true, 'set of much');
    same(strlen($m->get('large')), 600000, 'much');
    same($m->flush() && $m->get('large') === false, true, 'flush');
}
