// libvpx's VP8 for Swift: version macros and variadic controls as plain functions. Nothing else is C.
#pragma once
#include <vpx/vpx_codec.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vpx_encoder.h>
#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_image.h>

static inline vpx_codec_err_t nc_vp8_encoder_init(vpx_codec_ctx_t *context, const vpx_codec_enc_cfg_t *configuration) {
    return vpx_codec_enc_init(context, vpx_codec_vp8_cx(), configuration, 0);
}
static inline vpx_codec_err_t nc_vp8_encoder_defaults(vpx_codec_enc_cfg_t *configuration) {
    return vpx_codec_enc_config_default(vpx_codec_vp8_cx(), configuration, 0);
}
static inline vpx_codec_err_t nc_vp8_decoder_init(vpx_codec_ctx_t *context, const vpx_codec_dec_cfg_t *configuration) {
    return vpx_codec_dec_init(context, vpx_codec_vp8_dx(), configuration, 0);
}
static inline vpx_codec_err_t nc_vp8_peek(const uint8_t *data, unsigned int size, vpx_codec_stream_info_t *info) {
    info->sz = sizeof(*info);
    return vpx_codec_peek_stream_info(vpx_codec_vp8_dx(), data, size, info);
}
static inline vpx_codec_err_t nc_vp8_set(vpx_codec_ctx_t *context, int control, int value) {
    return vpx_codec_control_(context, control, value);
}
/// The bytes of a compressed frame packet, or NULL where the packet is not a frame.
static inline const void *nc_vpx_frame_data(const vpx_codec_cx_pkt_t *packet, size_t *size, int *is_key) {
    if (packet->kind != VPX_CODEC_CX_FRAME_PKT) return NULL;
    *size = packet->data.frame.sz;
    *is_key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
    return packet->data.frame.buf;
}
