/* A sound card that offers just what a test wants, keeps time by the monotonic clock, and fails when it is told to: a
 * PCM plugin of ALSA, so that a station runs the same code on it as on a real card.
 *
 *   pcm.odd { type voxcard rate 44100 channels 2 format "S16_LE" tone 660 ear "FILE" mood "FILE" log "FILE" }
 *
 * Its microphone hears a tone of so many Hz in each channel; what its loudspeaker plays is added to `ear` as it comes.
 * Each time that one of the two is opened, a line is added to `log`: `in` or `out`.
 * The file `mood` holds one letter:
 *   w  works                       g  gone: cannot be opened, and hangs up who has it open
 *   b  busy: cannot be opened      e  every poll is an error      x  every transfer is an xrun
 *   s  polls as ready and never is, so that a program that polls it spins
 */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct card {
	snd_pcm_ioplug_t io;
	char *mood;
	int ear;
	double tone;
	int running;
	struct timespec began;
	/* Frames transferred since it was started. */
	unsigned long long done;
	unsigned long long spoken;
	snd_pcm_sframes_t last;
};

static char mood_of(const char *path)
{
	char mood = 'w';
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file >= 0) {
		if (read(file, &mood, 1) != 1)
			mood = 'w';
		close(file);
	}
	return mood;
}

static void note(const char *path, const char *line)
{
	int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (file < 0 || write(file, line, strlen(line)) < 0)
		abort();
	close(file);
}

/* Frames that have gone by since it was started. */
static unsigned long long gone_by(const struct card *card)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	double seconds = (double)(now.tv_sec - card->began.tv_sec) + 1e-9 * (double)(now.tv_nsec - card->began.tv_nsec);
	return (unsigned long long)(seconds * card->io.rate);
}

static int start(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;
	clock_gettime(CLOCK_MONOTONIC, &card->began);
	card->running = 1;
	return 0;
}

static int stop(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;
	card->running = 0;
	return 0;
}

static int prepare(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;
	struct itimerspec tick = { { 0, 1000000 }, { 0, 1000000 } };
	card->running = 0;
	card->done = 0;
	card->last = 0;
	return timerfd_settime(io->poll_fd, 0, &tick, NULL) < 0 ? -errno : 0;
}

static snd_pcm_sframes_t pointer(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;
	unsigned long long at = card->running ? gone_by(card) : 0;
	char mood = mood_of(card->mood);
	if (mood == 'x')
		return -EPIPE;
	if (mood == 's')
		return card->last;
	if (io->stream == SND_PCM_STREAM_PLAYBACK ? at > card->done : at > card->done + io->buffer_size)
		return -EPIPE;
	return card->last = (snd_pcm_sframes_t)(at % io->buffer_size);
}

static int poll_revents(snd_pcm_ioplug_t *io, struct pollfd *pfd, unsigned int count, unsigned short *revents)
{
	struct card *card = io->private_data;
	unsigned long long ticks;
	char mood = mood_of(card->mood);
	(void)pfd;
	(void)count;
	if (mood == 'e')
		return -EIO;
	*revents = io->stream == SND_PCM_STREAM_PLAYBACK ? POLLOUT : POLLIN;
	if (mood == 'g')
		*revents = POLLERR | POLLHUP;
	else if (mood != 's' && read(io->poll_fd, &ticks, sizeof ticks) < 0)
		*revents = 0;
	return 0;
}

static void put(unsigned char *to, snd_pcm_format_t format, double sample)
{
	int width = snd_pcm_format_physical_width(format) / 8;
	double full = ldexp(1.0, snd_pcm_format_width(format) - 1);
	if (snd_pcm_format_float(format) == 1) {
		float single = (float)sample;
		memcpy(to, width == 8 ? (void *)&sample : (void *)&single, (size_t)width);
		return;
	}
	long long whole = llrint(sample * (full - 1.0)) + (snd_pcm_format_unsigned(format) == 1 ? (long long)full : 0);
	memcpy(to, &whole, (size_t)width);
}

static void speak(struct card *card, const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
	for (snd_pcm_uframes_t n = 0; n < size; n++, card->spoken++) {
		double sample = 0.5 * sin(2 * M_PI * card->tone * (double)card->spoken / card->io.rate);
		for (unsigned int channel = 0; channel < card->io.channels; channel++) {
			const snd_pcm_channel_area_t *area = &areas[channel];
			unsigned char *to = (unsigned char *)area->addr + (area->first + area->step * (offset + n)) / 8;
			put(to, card->io.format, sample);
		}
	}
}

static snd_pcm_sframes_t transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
				  snd_pcm_uframes_t size)
{
	struct card *card = io->private_data;
	if (io->stream == SND_PCM_STREAM_CAPTURE) {
		speak(card, areas, offset, size);
	} else if (card->ear >= 0) {
		const char *from = (const char *)areas->addr + (areas->first + areas->step * offset) / 8;
		if (write(card->ear, from, areas->step / 8 * size) < 0)
			return -errno;
	}
	card->done += size;
	return (snd_pcm_sframes_t)size;
}

static int close_card(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;
	close(io->poll_fd);
	if (card->ear >= 0)
		close(card->ear);
	free(card->mood);
	free(card);
	return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
	.start = start,
	.stop = stop,
	.pointer = pointer,
	.transfer = transfer,
	.close = close_card,
	.prepare = prepare,
	.poll_revents = poll_revents,
};

static int offer(snd_pcm_ioplug_t *io, snd_pcm_format_t format, long rate, long channels)
{
	unsigned int access[] = { SND_PCM_ACCESS_RW_INTERLEAVED };
	unsigned int formats[] = { (unsigned int)format };
	int error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 1, access);
	if (error >= 0)
		error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, formats);
	if (error >= 0)
		error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, (unsigned)rate, (unsigned)rate);
	if (error >= 0)
		error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, (unsigned)channels, (unsigned)channels);
	if (error >= 0)
		error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 16, 1 << 18);
	if (error >= 0)
		error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 32, 1 << 19);
	return error < 0 ? error : snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 64);
}

SND_PCM_PLUGIN_DEFINE_FUNC(voxcard)
{
	long rate = 48000, channels = 1, tone = 660;
	const char *format = "S16_LE", *ear = NULL, *mood = "", *log = "/dev/null";
	snd_config_iterator_t at, next;
	(void)root;
	snd_config_for_each(at, next, conf) {
		snd_config_t *entry = snd_config_iterator_entry(at);
		const char *id;
		if (snd_config_get_id(entry, &id) < 0)
			continue;
		if (!strcmp(id, "rate"))
			snd_config_get_integer(entry, &rate);
		else if (!strcmp(id, "channels"))
			snd_config_get_integer(entry, &channels);
		else if (!strcmp(id, "tone"))
			snd_config_get_integer(entry, &tone);
		else if (!strcmp(id, "format"))
			snd_config_get_string(entry, &format);
		else if (!strcmp(id, "ear"))
			snd_config_get_string(entry, &ear);
		else if (!strcmp(id, "mood"))
			snd_config_get_string(entry, &mood);
		else if (!strcmp(id, "log"))
			snd_config_get_string(entry, &log);
	}
	if (mood_of(mood) == 'g' || mood_of(mood) == 'b')
		return mood_of(mood) == 'g' ? -ENODEV : -EBUSY;
	struct card *card = calloc(1, sizeof *card);
	if (!card)
		return -ENOMEM;
	card->mood = strdup(mood);
	card->tone = (double)tone;
	card->ear = -1;
	if (ear && stream == SND_PCM_STREAM_PLAYBACK)
		card->ear = open(ear, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	card->io.version = SND_PCM_IOPLUG_VERSION;
	card->io.name = "vox test card";
	card->io.flags = SND_PCM_IOPLUG_FLAG_MONOTONIC;
	card->io.callback = &callbacks;
	card->io.private_data = card;
	card->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	card->io.poll_events = POLLIN;
	int error = snd_pcm_ioplug_create(&card->io, name, stream, mode);
	if (error < 0) {
		close_card(&card->io);
		return error;
	}
	error = offer(&card->io, snd_pcm_format_value(format), rate, channels);
	if (error < 0) {
		snd_pcm_ioplug_delete(&card->io);
		return error;
	}
	note(log, stream == SND_PCM_STREAM_CAPTURE ? "in\n" : "out\n");
	*pcmp = card->io.pcm;
	return 0;
}
SND_PCM_PLUGIN_SYMBOL(voxcard);
